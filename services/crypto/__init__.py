"""Sealing of single fields (SM4-GCM), blind indexes for equality (HMAC-SM3), their keys, and what of a secret may be shown.

So far what messages need; signatures (SM2), chained logs and remote key services join it later.
"""
