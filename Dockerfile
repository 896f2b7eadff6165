# syntax=docker/dockerfile:1
FROM node:20.20.2-bookworm-slim AS anvil
WORKDIR /tools
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --fetch-timeout=20000 \
    && cp "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" /tools/anvil

FROM python:3.11.14-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY registry registry
COPY api api
COPY cli cli
RUN uv sync --locked --no-dev --no-editable

FROM python:3.11.14-slim-bookworm
COPY --from=anvil /tools/anvil /usr/local/bin/anvil
COPY --from=build /app/.venv /app/.venv
# The uploads of large files must not land in a temporary file system that is memory.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TITLEDEED_HOME=/home/titledeed/data \
    TMPDIR=/home/titledeed/data/tmp
RUN useradd --uid 10001 --create-home titledeed \
    && install -d -o 10001 -g 10001 /home/titledeed/data /home/titledeed/data/tmp
USER 10001:10001
WORKDIR /home/titledeed
VOLUME /home/titledeed/data
EXPOSE 8765
ENTRYPOINT ["titledeed"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8765"]
