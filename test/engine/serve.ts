// What both doubles need to be a Pulumi plugin: a gRPC server on loopback whose port is printed, and an end with the engine.
import * as grpc from "@grpc/grpc-js";

type Answer<Request, Response> = (request: Request) => Promise<Response> | Response;

/** An error with something for the engine beside its text. */
export class DetailedError extends Error {
  readonly metadata: grpc.Metadata;
  constructor(message: string, metadata: grpc.Metadata) {
    super(message);
    this.metadata = metadata;
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
            code: grpc.status.UNKNOWN,
            details: error instanceof Error ? error.message : String(error),
            ...(error instanceof DetailedError ? { metadata: error.metadata } : {}),
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

/** Exits when the engine is gone, even by kill -9: it holds the other end of stdin. */
export function endWithEngine(cleanUp: () => void = () => {}): void {
  const end = () => {
    cleanUp();
    process.exit(0);
  };
  process.stdin.on("end", end).on("error", end).resume();
  process.on("SIGTERM", end).on("SIGINT", end);
}
