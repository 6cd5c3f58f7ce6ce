"""Enrolment in kindergartens (入园登记与报名): its fields, certificates and forms, and the check of a catchment."""
