"""What people answer: read by kind, linked, checked, said again, and described as a JSON schema. Pure."""

from services.kernel.forms.answering.known import NOTHING_KNOWN, Known
from services.kernel.forms.answering.linking import Linked, link, loops_in
from services.kernel.forms.answering.schema import schema_of
from services.kernel.forms.answering.validating import Checked, Fault, validate

__all__ = ["NOTHING_KNOWN", "Checked", "Fault", "Known", "Linked", "link", "loops_in", "schema_of", "validate"]
