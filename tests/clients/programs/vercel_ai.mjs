// `ai`, with its provider for OpenAI-compatible servers.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { add, baseURL, serve } from "./line_by_line.mjs";

const schema = z.object({ total: z.int(), words: z.string() });
const parameters = { description: "Add two numbers.", inputSchema: z.object({ a: z.int(), b: z.int() }) };
const offered = { add: tool(parameters) };
const served = { add: tool({ ...parameters, execute: async (input) => add(input) }) };

function asked(ask) {
  const { key: apiKey, headers } = ask;
  const provider = createOpenAICompatible({ name: "forebay", baseURL, apiKey, headers, supportsStructuredOutputs: true });
  return { model: provider(ask.model), prompt: ask.prompt, maxRetries: 0 };
}
const calls = (found) => found.map((one) => ({ name: one.toolName, arguments: one.input }));

await serve({
  async chat(ask) {
    const { text, finishReason } = await generateText(asked(ask));
    return { text, finish: finishReason };
  },
  async stream(ask) {
    const failed = [];
    const answer = streamText({ ...asked(ask), onError: ({ error }) => failed.push(error) });
    const found = [];
    for await (const text of answer.textStream) found.push(text);
    if (failed.length) throw failed[0];
    return { text: found.join(""), pieces: found.length, finish: await answer.finishReason };
  },
  async tools(ask) {
    return { calls: calls((await generateText({ ...asked(ask), tools: offered })).toolCalls) };
  },
  async streamed_tools(ask) {
    const answer = streamText({ ...asked(ask), tools: offered });
    await answer.consumeStream();
    return { calls: calls(await answer.toolCalls) };
  },
  async tool_turn(ask) {
    const { text } = await generateText({ ...asked(ask), tools: served, stopWhen: stepCountIs(2) });
    return { text };
  },
  async structured(ask) {
    return { value: (await generateObject({ ...asked(ask), schema })).object };
  },
  async bad(ask) {
    return generateText({ ...asked(ask), temperature: 7 });
  },
});
