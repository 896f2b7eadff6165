"""The database and the object store of one home; SQL and obstore live here and nowhere else."""
