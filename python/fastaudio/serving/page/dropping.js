// Files that are dropped anywhere on the page, or chosen.

// Gives a chosen file on; the same one may be chosen again.
export function taken(input, take) {
  const [file] = input.files;
  input.value = "";
  if (file) take(file);
}

export function onDrop(take) {
  const over = (is) => document.body.classList.toggle("over", is);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", () => over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
}
