// Reads streams of the backend with the AI SDK's own transport and reader, and prints what these make of them.
//
// Lines of JSON come in: {"url", "token", "body", "most"} is a request, of whose stream so many parts are read, 0: all;
// {"parts"} are read as if they had come; {"end"} is the end of a message, which all since the last of these make.
// Printed are {"place", "part"} for each part that comes, {"left"} after each request, with the error where there was
// one, and {"message", "errors"} at the end of a message.
import { createInterface } from "node:readline";
import { DefaultChatTransport, readUIMessageStream } from "ai";

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Takes the places out of a response on its way to the SDK, which makes nothing of them. */
function withPlaces(response, places) {
  let rest = "";
  const taken = new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("id: ")) places.push(line.slice(4));
      controller.enqueue(text);
    },
  });
  const text = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(taken);
  return new Response(text.pipeThrough(new TextEncoderStream()), response);
}

/** Sends a request, and gives the parts of its stream to `take`. */
async function request({ url, token, body, most }, take) {
  const places = [];
  const transport = new DefaultChatTransport({
    api: url,
    headers: { authorization: `Bearer ${token}` },
    fetch: async (...asked) => withPlaces(await fetch(...asked), places),
    prepareSendMessagesRequest: () => ({ body }),
  });
  const parts = await transport.sendMessages({ chatId: "chat", messages: [], trigger: "submit-message" });
  for await (const part of parts) {
    take(part);
    print({ place: places.shift(), part });
    if (--most === 0) break;
  }
}

/** A message that is read from all parts that it takes. */
function begin() {
  let controller;
  const stream = new ReadableStream({ start: (given) => (controller = given) });
  const errors = [];
  const read = async () => {
    let message = null;
    for await (message of readUIMessageStream({ stream, onError: (error) => errors.push(String(error)) }));
    return message;
  };
  const reading = read();
  const end = async () => {
    if (errors.length === 0) controller.close();
    return { message: await reading, errors };
  };
  const take = (part) => {
    if (errors.length === 0) controller.enqueue(part); // after an error it is closed
  };
  return { take, end };
}

let message = begin();
for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  if (told.parts) {
    told.parts.forEach(message.take);
  } else if (told.end) {
    print(await message.end());
    message = begin();
  } else {
    const error = await request(told, message.take).catch((error) => error);
    print({ left: error ? String(error) : "" });
  }
}
