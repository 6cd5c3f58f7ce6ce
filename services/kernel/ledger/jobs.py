"""The kinds of long work that ledgers know."""

from geo.jobs.registry import job
from services.kernel.ledger.importing.actions import CHECK_JOB, WRITE_JOB
from services.kernel.ledger.importing.work import check_sheet, write_rows

job(CHECK_JOB)(check_sheet)
job(WRITE_JOB)(write_rows)
