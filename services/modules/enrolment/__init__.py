"""Enrolment in kindergartens (入园登记与报名): so far its library of fields and certificates, and the forms of its entries."""
