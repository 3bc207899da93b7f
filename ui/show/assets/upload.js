// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Beside the files that are there gradio shows a button for others, and names it by a key of its dictionary.
function nameButtons() {
  for (const button of box.querySelectorAll('[aria-label="common.upload"]')) button.setAttribute("aria-label", "Open other files");
}

const box = document.getElementById("xs-file");
new MutationObserver(nameButtons).observe(box, { childList: true, subtree: true, attributeFilter: ["aria-label"] });
nameButtons();
