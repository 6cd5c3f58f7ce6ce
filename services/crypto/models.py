"""Sealed values of rows that live elsewhere, logs as Merkle trees with their signed heads, and signed pieces of device logs."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Secret(models.Model):
    """One sealed value of one field of one owner. Nothing of it can be read without the keystore.

    ``owner`` is the UUIDv7 that the writer of the owning row made; ``key_id`` is the key that sealed it, for rotation. ``blind``
    is '' for a value nobody looks for, ``found_by`` the field under which equal values are looked for.
    """

    owner = models.UUIDField()
    field = models.CharField(max_length=120)
    ciphertext = models.TextField()
    blind = models.CharField(max_length=64, blank=True)
    found_by = models.CharField(max_length=120, blank=True)
    key_id = models.CharField(max_length=20)

    class Meta:
        verbose_name = "加密内容"
        constraints = [models.UniqueConstraint(fields=["owner", "field"], name="secret_once")]
        indexes = [
            models.Index(fields=["blind", "field"], condition=~models.Q(blind=""), name="secret_blind"),
            models.Index(fields=["key_id"], name="secret_key"),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.owner}"


class ChainedLog(models.Model):
    """How far a log has entered its Merkle tree: its peaks, the last row entered, and which rows may be entered next.

    ``waits_for`` are the transactions that were under way when ``candidate`` was the highest row: only when all of them have
    ended are all rows up to it visible, in whatever order they were committed.
    """

    key = models.SlugField(max_length=40, primary_key=True)
    size = models.PositiveBigIntegerField(default=0)
    peaks = ArrayField(models.BinaryField(max_length=32), default=list)
    done = models.PositiveBigIntegerField(default=0)
    candidate = models.PositiveBigIntegerField(null=True)
    candidate_at = models.DateTimeField(null=True)
    waits_for = ArrayField(models.CharField(max_length=20), default=list)

    class Meta:
        verbose_name = "日志链"

    def __str__(self) -> str:
        return f"{self.key} {self.size}"


class LogEntry(models.Model):
    """One row of a log as a leaf of its tree."""

    log = models.ForeignKey(ChainedLog, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveBigIntegerField()
    row = models.PositiveBigIntegerField()
    leaf = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = "日志链条目"
        constraints = [
            models.UniqueConstraint(fields=["log", "position"], name="log_position_once"),
            models.UniqueConstraint(fields=["log", "row"], name="log_row_once"),
        ]

    def __str__(self) -> str:
        return f"{self.log_id} {self.position}"


class LogHead(models.Model):
    """The root of a log at one size, signed together with the head before it."""

    log = models.ForeignKey(ChainedLog, on_delete=models.PROTECT, related_name="heads")
    number = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=32)
    before = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=20)
    signature = models.BinaryField(max_length=100)

    class Meta:
        verbose_name = "日志链签名"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["log", "number"], name="log_head_once")]

    def __str__(self) -> str:
        return f"{self.log_id} {self.number} {self.size}"


class RowSignature(models.Model):
    """A signature over what counts of one row of one kind; only added to, the newest counts. An empty digest: the row is gone.

    The table is a log of its own: whoever puts an older signature back must take the newer one away, which the tree shows.
    """

    kind = models.SlugField(max_length=40)
    row = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=20)
    signature = models.BinaryField(max_length=100)

    class Meta:
        verbose_name = "记录签名"
        indexes = [models.Index(fields=["kind", "row", "-id"], name="newest_signature")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"


class LogPiece(models.Model):
    """A piece of a log file of a machine, from one byte to another, signed; ``inode`` follows the file when it is renamed."""

    path = models.CharField(max_length=300)
    inode = models.BigIntegerField()
    start = models.PositiveBigIntegerField()
    end = models.PositiveBigIntegerField()
    digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=20)
    signature = models.BinaryField(max_length=100)

    class Meta:
        verbose_name = "设备日志签名"
        constraints = [models.UniqueConstraint(fields=["path", "inode", "start"], name="log_piece_once")]

    def __str__(self) -> str:
        return f"{self.path} {self.start}–{self.end}"
