// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Buttons that choose something: a wavelength in the message that one is missing, an example.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (button) trigger("select", { pick: button.dataset.pick });
});
