// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// A list takes the first choice that holds what was typed: 0.7 would be molybdenum's 0.7107 Å. A number is what it says,
// unless the arrows have gone to a choice.
let moved = false;

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("#xs-wavelength input");
  if (!field) return;
  if (event.key === "Enter" && !moved && /^\s*[\d.,]/.test(field.value)) {
    event.stopImmediatePropagation();
    field.blur();
  }
  moved = ["ArrowDown", "ArrowUp"].includes(event.key);
}, true);
