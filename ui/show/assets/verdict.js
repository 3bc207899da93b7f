// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const address = new URL(button.dataset.copy, window.location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    button.textContent = "Copied";
  } catch (error) {
    window.prompt("Copy this address:", address); // a page that was not opened safely may not use the clipboard
  }
});
