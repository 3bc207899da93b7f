// Body of the function that gradio calls once with (element, trigger, props, server, upload, watch).
// props.value is the JSON text made by ui/show/downloads.py: download().
watch("value", () => {
  if (!props.value) return;
  const file = JSON.parse(props.value);
  const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
