// The sheet to print: one button, and nothing else.
document.querySelectorAll('[data-print]').forEach((button) => button.addEventListener('click', () => window.print()));
