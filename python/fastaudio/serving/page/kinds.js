// What kind of sound it is, where a model hears one kind only: its tags of other sound mean little.
export const MARK = "?"; // before labels of other sound, as the commands write it

export const isOther = ({ fits }) => fits === false;

// Says the kinds of sound that isn't the model's, such as "speech 0.93, not music"; else nothing.
export function kindText({ kind, fits }, hears) {
  if (fits !== false) return "";
  const told = Object.entries(kind ?? {}).filter(([name, score]) => name !== hears && score >= 0.3);
  const texts = told.sort((a, b) => b[1] - a[1]).map(([name, score]) => `${name} ${score.toFixed(2)}`);
  return [...texts, `not ${hears ?? "what this model hears"}`].join(", ");
}
