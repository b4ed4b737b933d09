// How is a client driven? As line_by_line.py says, in JavaScript.
import { createInterface } from "node:readline";

export const baseURL = process.env.OPENAI_BASE_URL;

export const add = ({ a, b }) => a + b;

function told(error) {
  const causes = [];
  for (let one = error; one && !causes.includes(one); one = one.cause ?? one.lastError) causes.push(one);
  const found = (...names) => causes.flatMap((one) => names.map((name) => one[name])).find((one) => one != null);
  return {
    kind: error.constructor.name,
    status: found("status", "statusCode") ?? null,
    code: found("code") ?? null,
    said: `${error.message} ${found("responseBody") ?? ""}`.slice(0, 2000),
  };
}

export async function serve(acts) {
  console.log(JSON.stringify({ acts: Object.keys(acts).sort() }));
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: act, ...ask } = JSON.parse(line);
    let answer;
    try {
      answer = await acts[act]({ model: "small", headers: {}, messages: [{ role: "user", content: ask.prompt }], ...ask });
    } catch (error) {
      console.error(error);
      answer = { error: told(error) };
    }
    console.log(JSON.stringify(answer));
  }
}
