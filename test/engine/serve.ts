// What every double needs to be a Pulumi plugin: a gRPC server on loopback whose port is printed, and an end after the engine's.
import * as grpc from "@grpc/grpc-js";

type Answer<Request, Response> = (request: Request) => Promise<Response> | Response;

/** An error with something for the engine beside its text. */
export class DetailedError extends Error {
  readonly metadata: grpc.Metadata;
  readonly code: grpc.status;
  constructor(message: string, metadata = new grpc.Metadata(), code = grpc.status.UNKNOWN) {
    super(message);
    this.metadata = metadata;
    this.code = code;
  }
}

/** A unary gRPC handler; what `answer` throws becomes the error the engine prints. */
export function unary<Request, Response>(
  answer: Answer<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            details: error instanceof Error ? error.message : String(error),
            ...(error instanceof DetailedError
              ? { code: error.code, metadata: error.metadata }
              : { code: grpc.status.UNKNOWN }),
          }),
      );
  };
}

/** Serves on a free port of 127.0.0.1, and prints that port as the first line of stdout, as the engine expects. */
export async function serve(
  service: grpc.ServiceDefinition,
  handlers: grpc.UntypedServiceImplementation,
): Promise<void> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  process.stdout.write(`${port}\n`);
}

/** Whether the engine has died without a word, as by kill -9: it holds the other end of stdin. */
export let engineIsGone = false;

/**
 * Ends when the engine says so, and lives on when the engine has died without a word. The real plugins ask every 5 minutes
 * whether it is there; so that tests leave nothing behind for so long, a double waits CHANGEOVER_DOUBLES_OUTLIVE seconds
 * (default 5). `gone` is called at once, `cleanUp` at the end.
 */
export function endAfterEngine(gone: () => void = () => {}, cleanUp: () => void = () => {}): void {
  const end = () => {
    cleanUp();
    process.exit(0);
  };
  const live = () => {
    if (engineIsGone) return;
    engineIsGone = true;
    gone();
    setTimeout(end, Number(process.env["CHANGEOVER_DOUBLES_OUTLIVE"] ?? 5) * 1000);
  };
  process.stdin.on("end", live).on("error", live).resume();
  process.on("SIGTERM", end).on("SIGINT", end);
  // What is printed now has no reader.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
