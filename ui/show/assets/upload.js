// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// Beside the files that are there gradio shows a button for others, and names it by a key of its dictionary.
// It may draw the whole box anew, so the page is watched and not the box.
function nameButtons() {
  for (const button of document.querySelectorAll('#xs-file [aria-label="common.upload"]')) {
    button.setAttribute("aria-label", "Open other files");
    button.title = "Open other files";
  }
}

new MutationObserver(nameButtons).observe(document.body, { childList: true, subtree: true, attributeFilter: ["aria-label"] });
nameButtons();
