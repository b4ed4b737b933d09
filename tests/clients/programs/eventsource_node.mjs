// `eventsource-parser`, which knows the rules of WHATWG for event streams, on the bytes as they come, cut anew.
import { createParser } from "eventsource-parser";
import { baseURL, serve } from "./line_by_line.mjs";

const asked = (ask) =>
  fetch(`${baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ask.key}`, "content-type": "application/json" },
    body: JSON.stringify(ask.prompt.body),
  });

await serve({
  async body(ask) {
    const answer = await asked(ask);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
  },
  async events(ask) {
    const { size } = ask.prompt;
    const answer = await asked(ask);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const found = { status: answer.status, headers: Object.fromEntries(answer.headers), events: [], errors: [] };
    const parser = createParser({
      onEvent: (event) => found.events.push(event),
      onError: (error) => found.errors.push(String(error)),
      onRetry: () => found.errors.push("retry"),
    });
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (let at = 0; at < bytes.length; at += size) {
      parser.feed(decoder.decode(bytes.subarray(at, at + size), { stream: true }));
    }
    parser.feed(decoder.decode());
    return found;
  },
});
