// What the server is asked, with the token if there is one.
const MOST_WAITING = 4e6; // bytes of sound that wait to be sent
const isToken = (text) => /^[\x21-\x7e]*$/.test(text); // what a header takes
let token = sessionStorage.getItem("token") ?? "";
if (!isToken(token)) token = "";

export class Refused extends Error {}

export class NeedsToken extends Refused {}

// Tells whether it can be a token.
export function setToken(text) {
  if (!isToken(text.trim())) return false;
  token = text.trim();
  sessionStorage.setItem("token", token);
  return true;
}

async function answer(path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { ...options, headers }).catch((error) => {
    throw error instanceof TypeError ? new Refused("the server can't be reached") : error;
  });
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  const message = told?.error?.message ?? `the server answered ${response.status}`;
  if (response.status !== 401) throw new Refused(message);
  throw Object.assign(new NeedsToken("That isn't this server's token."), { given: token !== "" });
}

export async function models() {
  const found = await (await answer("v1/models")).json();
  return Array.isArray(found) ? found : found.models;
}

const json = async (path, options) => (await answer(path, options)).json();
const post = (path, told) => json(path, { method: "POST", body: JSON.stringify(told) });

// What there is to search in.
export const archive = () => json("v1/archive");

const asked = (how) => new URLSearchParams(Object.entries(how).filter(([, value]) => value !== undefined));

export const likeFile = (file, how) => json(`v1/archive/like?${asked(how)}`, { method: "POST", body: file });
export const likeStretch = (how) => json(`v1/archive/like?${asked(how)}`, { method: "POST" });
export const ofLabel = (how) => json(`v1/archive/label?${asked(how)}`);
export const unsure = (how) => json(`v1/archive/next?${asked(how)}`);
export const giveLabel = (id, label, by) => post("v1/archive/labels", { id, label, by });
export const takeBack = ({ id, label, when, by }) => post("v1/archive/undo", { id, label, when, by });
export const soundOf = async (id) => (await answer(`v1/archive/sound?${asked({ id })}`)).blob();

export async function tagFile(file, model, onset, signal, spectrogram) {
  const query = asked({ model, events: 1, onset: onset || undefined, top: 12, windows: 1, spectrogram: spectrogram ? 1 : 0 });
  return (await answer(`v1/tag?${query}`, { method: "POST", body: file, signal })).json();
}

// Opens a live stream of float32 samples, which calls `take` with each message, and `ended` once.
export function live(model, onset, rate, take, ended) {
  const events = { events: 1, onset: onset || undefined }; // without one, the model's own
  const query = asked({ model, ...events, rate, channels: 1, format: "f32le", spectrogram: 1, top: 12, overflow: "drop_oldest" });
  const address = new URL(`v1/live?${query}`, document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  let error = null;
  socket.onopen = () => token && socket.send(JSON.stringify({ token }));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "error") error = message.error;
    else take(message);
  };
  socket.onclose = ({ code }) => {
    const lost = code === 1000 ? null : "the connection to the server was lost";
    ended(error?.message ?? error ?? lost, error?.type === "no_token");
  };
  return {
    push: (samples) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount < MOST_WAITING) return socket.send(samples);
      error = "the network is too slow for the microphone";
      socket.close();
    },
    end: () => (socket.readyState === WebSocket.OPEN ? socket.send("end") : socket.close()),
  };
}
