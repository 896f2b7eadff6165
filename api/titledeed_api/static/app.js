// The drop page: sends a file, shows how far it has got, then puts in what the server rendered.
// No text of ours or of a file is ever parsed as HTML here; the server's page is escaped already.

const POLL_INTERVAL_MS = 400;
const PREVIEWED = /^(image|video|audio)\//;

const verdict = document.getElementById("verdict");
const details = document.getElementById("details");
const preview = document.getElementById("preview");
const overlay = document.getElementById("drop");
const form = document.getElementById("form");
const input = document.getElementById("file");

let latest = 0; // a newer file makes answers about an older one stale
let previewUrl = null;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function say(tone, headline, ...rest) {
  const text = element("div", {}, element("p", { className: "headline", textContent: headline }), ...rest);
  verdict.replaceChildren(element("div", { className: `verdict ${tone}` }, text));
}

function sayProblem(problem) {
  const rest = [problem.detail, problem.next_step]
    .filter(Boolean)
    .map((textContent) => element("p", { className: "sentence", textContent }));
  say("problem", problem.title, ...rest);
}

function showPreview(file) {
  if (previewUrl) URL.revokeObjectURL(previewUrl);
  previewUrl = null;
  preview.replaceChildren();
  const kind = PREVIEWED.exec(file.type)?.[1];
  if (!kind || file.type.includes("svg")) return;
  previewUrl = URL.createObjectURL(file);
  const name = kind === "image" ? "img" : kind;
  const shown = element(name, { src: previewUrl, alt: "The file that you chose" });
  if (kind !== "image") Object.assign(shown, { controls: true, muted: true });
  shown.addEventListener("error", () => preview.replaceChildren());
  const caption = element("figcaption", { textContent: file.name });
  preview.replaceChildren(element("figure", {}, shown, caption));
}

function send(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/verifications");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () =>
      request.status < 400 && request.response
        ? resolve(request.response)
        : reject(request.response ?? { title: "The server did not answer properly" }),
    );
    request.addEventListener("error", () => reject({ title: "The file could not be sent" }));
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  });
}

async function untilDone(id) {
  for (;;) {
    const answer = await fetch(`/v1/verifications/${id}`);
    const found = await answer.json();
    if (!answer.ok) throw found;
    if (found.status !== "running") return found;
    await new Promise((resume) => setTimeout(resume, POLL_INTERVAL_MS));
  }
}

async function showResult(id, { remember }) {
  const address = `/verifications/${id}`;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const area of [verdict, details]) {
    area.replaceChildren(...page.getElementById(area.id).childNodes);
  }
  document.title = page.title;
  if (remember) history.pushState({}, "", address);
  verdict.scrollIntoView({ block: "start" });
}

async function verify(file) {
  const mine = ++latest;
  details.replaceChildren();
  showPreview(file);
  const bar = element("progress", { max: 1, value: 0 });
  bar.setAttribute("aria-label", "Upload");
  say("plain", "Sending the file …", bar);
  try {
    const { id } = await send(file, (share) => {
      bar.value = share;
    });
    if (mine !== latest) return;
    const examining = element("progress");
    examining.setAttribute("aria-label", "Examination");
    say("plain", "Examining the file …", examining);
    await untilDone(id);
    if (mine === latest) await showResult(id, { remember: true });
  } catch (problem) {
    if (mine === latest) sayProblem(problem.title ? problem : { title: "The server did not answer" });
  }
}

function holdsFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}

let depth = 0; // dragenter and dragleave fire for every element on the way
window.addEventListener("dragenter", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  depth += 1;
  overlay.hidden = false;
});
window.addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  overlay.hidden = depth === 0;
});
window.addEventListener("dragover", (event) => {
  if (holdsFiles(event)) event.preventDefault();
});
window.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  depth = 0;
  overlay.hidden = true;
  const [file] = event.dataTransfer.files;
  if (file) verify(file);
});

input.addEventListener("change", () => {
  if (input.files.length) verify(input.files[0]);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) verify(input.files[0]);
});
// The file itself is gone when somebody steps back: let the server show that address.
window.addEventListener("popstate", () => location.reload());

if (verdict.dataset.running) {
  untilDone(verdict.dataset.running)
    .then(() => showResult(verdict.dataset.running, { remember: false }))
    .catch(sayProblem);
}
