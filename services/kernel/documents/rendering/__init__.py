"""Documents from templates: PDF by typst, Word by sandboxed tags, made apart; equal data give equal bytes."""
