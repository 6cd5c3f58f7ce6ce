"""The workflow of the kernel: matters with their flows, cases with their tasks and timeline, the inbox and the dispatcher."""
