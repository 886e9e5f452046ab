// A webhook: writes the body of every request as a line into a file. recorder.ts PORT FILE
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const [port, file] = process.argv.slice(2);
createServer((request, response) => {
  void text(request).then((body) => {
    appendFileSync(file!, `${body}\n`);
    response.end("{}");
  });
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
