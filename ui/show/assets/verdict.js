// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// The address names the answer that is shown, so that a page that is opened again, or a second one, shows it too;
// while there is none, the pattern that is searched for.
function keepAddress() {
  const link = element.querySelector("[data-copy]");
  const name = link?.dataset.copy.replace("?answer=", "") ?? element.querySelector("[data-asked]")?.dataset.asked;
  const address = new URL(window.location.href);
  if (name) address.searchParams.set("answer", name);
  else address.searchParams.delete("answer");
  if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address);
}

// On a narrow screen the answer stands below the form: whoever waits for it is taken there.
const NARROW = "(max-width: 860px)";
let seen = "";

function goThere() {
  const heading = element.querySelector("h2")?.textContent ?? "";
  if (heading && heading !== seen && window.matchMedia(NARROW).matches) element.scrollIntoView({ block: "start" });
  seen = heading;
}

watch("value", () => requestAnimationFrame(() => { keepAddress(); goThere(); }));
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
