// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// A button in the message that a wavelength is missing chooses one.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-wavelength]");
  if (button) trigger("select", { wavelength: button.dataset.wavelength });
});
