"""What staff do to places by hand: add, correct, move, close, take down, merge, take back; with checks, drafts and history."""
