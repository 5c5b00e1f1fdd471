"""Why a cell is not for a job: one record per reason, with its check, its words and what can be changed. Room is not judged here."""
