// The client of OpenAI for JavaScript.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { add, serve } from "./line_by_line.mjs";

const Sum = z.object({ total: z.int(), words: z.string() });
const parameters = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const tools = [{ type: "function", function: { name: "add", description: "Add two numbers.", parameters } }];

const client = (ask) =>
  new OpenAI({ apiKey: ask.key, maxRetries: 0, timeout: 60_000, defaultHeaders: ask.headers }).chat.completions;
const calls = (choice) => ({
  calls: choice.message.tool_calls.map(({ function: one }) => ({
    name: one.name,
    arguments: JSON.parse(one.arguments),
  })),
  finish: choice.finish_reason,
});

await serve({
  async chat(ask) {
    const { choices, usage } = await client(ask).create({ model: ask.model, messages: ask.messages });
    if (!usage) throw new Error("no usage");
    return { text: choices[0].message.content, finish: choices[0].finish_reason };
  },
  async stream(ask) {
    const found = [];
    let finish = null;
    for await (const chunk of await client(ask).create({ model: ask.model, messages: ask.messages, stream: true })) {
      found.push(chunk.choices[0].delta.content ?? "");
      finish = chunk.choices[0].finish_reason ?? finish;
    }
    return { text: found.join(""), pieces: found.filter(Boolean).length, finish };
  },
  async tools(ask) {
    return calls((await client(ask).create({ model: ask.model, messages: ask.messages, tools })).choices[0]);
  },
  async streamed_tools(ask) {
    const stream = client(ask).stream({ model: ask.model, messages: ask.messages, tools });
    return calls((await stream.finalChatCompletion()).choices[0]);
  },
  async tool_turn(ask) {
    const messages = [...ask.messages];
    const { message } = (await client(ask).create({ model: ask.model, messages, tools })).choices[0];
    messages.push(message);
    for (const call of message.tool_calls) {
      const content = String(add(JSON.parse(call.function.arguments)));
      messages.push({ role: "tool", tool_call_id: call.id, content });
    }
    const { choices } = await client(ask).create({ model: ask.model, messages, tools });
    return { text: choices[0].message.content };
  },
  async structured(ask) {
    const response_format = zodResponseFormat(Sum, "sum");
    const { choices } = await client(ask).parse({ model: ask.model, messages: ask.messages, response_format });
    return { value: choices[0].message.parsed };
  },
  async models(ask) {
    const { models } = new OpenAI({ apiKey: ask.key, maxRetries: 0 });
    const found = [];
    for await (const one of models.list()) found.push(one.id);
    return { models: found, one: (await models.retrieve("small")).id };
  },
  async bad(ask) {
    return client(ask).create({ model: ask.model, messages: ask.messages, max_tokens: -1 });
  },
});
