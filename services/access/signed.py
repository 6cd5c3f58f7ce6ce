"""What of access is signed: roles with their duties, grants, what people sign in by, and keys of programs."""

from __future__ import annotations

from typing import Final

from services.crypto.signed_rows import SignedTable

ROLE: Final = SignedTable("role", "角色", "access.Role", ("key", "name", "duties"))
GRANT: Final = SignedTable(
    "grant",
    "授权",
    "access.Grant",
    (
        "user_id",
        "role_id",
        "region_id",
        "organisation_id",
        "person_id",
        "from_day",
        "to_day",
        "granted_by",
        "lent_from_id",
        "ended_at",
        "ended_by",
    ),
    lambda row: f"{row.user} {row.role_id}",
)
ACCOUNT: Final = SignedTable(
    "account",
    "账号",
    "access.User",
    ("username", "password", "is_active", "is_superuser", "is_staff"),
    lambda row: row.username,
)
API_KEY: Final = SignedTable(
    "api_key", "接口密钥", "access.ApiKey", ("user_id", "prefix", "digest", "revoked_at"), lambda row: row.prefix
)
CERTIFICATE: Final = SignedTable(
    "certificate",
    "设备证书",
    "access_signin.DeviceCertificate",
    ("user_id", "fingerprint", "not_before", "not_after", "bound_at", "ended_at", "ended_by"),
    lambda row: f"{row.user} {row.fingerprint[:16]}",
)
SIGNED: Final = (ROLE, GRANT, ACCOUNT, API_KEY, CERTIFICATE)
