"""The security authentication gateway of a cloud platform (安全认证网关): certificates, challenges, sealed sessions.

Our client, a simulator that speaks the same contract over an authority of its own, and the telephone's side of both.
"""
