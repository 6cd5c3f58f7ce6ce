// Choices of a form: only one value of a name can hold, so ticking 半日托 unticks 全日托.

export function untickSiblings(input) {
  if (input.type !== 'checkbox' || !input.checked) return;
  document.querySelectorAll(`input[type="checkbox"][data-auto][name="${input.name}"]`).forEach((other) => {
    if (other !== input) other.checked = false;
  });
}
