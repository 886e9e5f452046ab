// A double of pulumi-language-nodejs 3.259.0, for machines where it cannot be installed: starts the program by Pulumi's own runner.
// As the real one it outlives an engine that was killed, and interrupts the program then (see serve.ts for how long).
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { endAfterEngine, serve, unary } from "./serve.ts";

/** The runner's exit code for "I have already told the user why": the engine then prints nothing more. */
const exitAfterLoggedError = 32;

interface Package {
  readonly name: string;
  readonly version: string;
  readonly pulumi?: { readonly resource?: boolean; readonly name?: string; readonly version?: string };
}

interface ProviderPlugin {
  readonly name: string;
  readonly version: string;
}

let engineAddress = process.argv.at(-1) ?? "";
let program: ChildProcess | undefined;

endAfterEngine(interrupt, () => program?.kill("SIGKILL"));
await serve(languageService.LanguageRuntimeService, {
  handshake: unary((request: language.LanguageHandshakeRequest) => {
    engineAddress = request.getEngineAddress();
    return new language.LanguageHandshakeResponse();
  }),
  getPluginInfo: unary(() => new plugin.PluginInfo().setVersion("")),
  getRequiredPackages: unary((request: language.GetRequiredPackagesRequest) => {
    const packages = requiredPlugins(request.getInfo()).map(({ name, version }) =>
      new plugin.PackageDependency().setName(name).setKind("resource").setVersion(version),
    );
    return new language.GetRequiredPackagesResponse().setPackagesList(packages);
  }),
  getRequiredPlugins: unary((request: language.GetRequiredPluginsRequest) => {
    const plugins = requiredPlugins(request.getInfo()).map(({ name, version }) =>
      new plugin.PluginDependency().setName(name).setKind("resource").setVersion(version),
    );
    return new language.GetRequiredPluginsResponse().setPluginsList(plugins);
  }),
  about: unary(() =>
    new language.AboutResponse().setExecutable(process.execPath).setVersion(process.version),
  ),
  getProgramDependencies: unary((request: language.GetProgramDependenciesRequest) => {
    const dependencies = installedPackages(programDirectory(request.getInfo())).map(({ name, version }) =>
      new language.DependencyInfo().setName(name).setVersion(version),
    );
    return new language.GetProgramDependenciesResponse().setDependenciesList(dependencies);
  }),
  installDependencies: (call: { end: () => void }) => call.end(),
  runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),
  run: unary(run),
  cancel: unary(() => {
    interrupt();
    return new empty.Empty();
  }),
});

/** Ends the program as the real host does: asked at first, by force after 5 seconds. */
function interrupt(): void {
  const running = program;
  running?.kill("SIGINT");
  setTimeout(() => running?.kill("SIGKILL"), 5000).unref();
}

/** Runs the program and waits for its end. Its output goes to the engine, which shows what the host prints. */
async function run(request: language.RunRequest): Promise<language.RunResponse> {
  const info = request.getInfo();
  const directory = programDirectory(info);
  const options = (info?.getOptions()?.toJavaScript() ?? {}) as { nodeargs?: string; typescript?: boolean };
  const runner = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const child = spawn(
    process.execPath,
    [
      ...["--import", join(import.meta.dirname, "laterLoading.ts")],
      ...(options.nodeargs ?? "").split(" ").filter(Boolean),
      runner,
      ...runnerFlags(request),
      info?.getEntryPoint() || request.getProgram() || ".",
      ...request.getArgsList(),
    ],
    {
      cwd: directory,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        PULUMI_NODEJS_TYPESCRIPT: options.typescript === false ? "false" : "true",
      },
    },
  );
  program = child;
  const end = await new Promise<number | NodeJS.Signals>((resolve, reject) =>
    child.on("error", reject).on("close", (code, signal) => resolve(code ?? signal ?? "SIGKILL")),
  );
  program = undefined;
  const response = new language.RunResponse();
  if (end === exitAfterLoggedError) return response.setBail(true);
  return end === 0 ? response : response.setError(`Program exited with non-zero exit code: ${end}`);
}

/** The runner's command line for a request. */
function runnerFlags(request: language.RunRequest): string[] {
  return [
    `--monitor=${request.getMonitorAddress()}`,
    `--engine=${engineAddress}`,
    `--organization=${request.getOrganization()}`,
    `--project=${request.getProject()}`,
    `--stack=${request.getStack()}`,
    `--root-directory=${request.getInfo()?.getRootDirectory() ?? ""}`,
    `--pwd=${request.getPwd()}`,
    `--parallel=${request.getParallel()}`,
    ...(request.getDryrun() ? ["--dry-run"] : []),
  ];
}

function programDirectory(info: language.ProgramInfo | undefined): string {
  return info?.getProgramDirectory() || process.cwd();
}

/** The provider plugins that the installed packages ask for. Most packages do not speak of Pulumi: those are not looked into. */
function requiredPlugins(info: language.ProgramInfo | undefined): ProviderPlugin[] {
  return installedPackages(programDirectory(info), '"pulumi":')
    .filter((installed) => installed.pulumi?.resource)
    .map(({ name, version, pulumi }) => ({
      name: pulumi?.name ?? name.replace("@pulumi/", ""),
      version: `v${(pulumi?.version ?? version).replace(/^v/, "")}`,
    }));
}

/** The packages in the first node_modules folder at or above a folder whose package.json has a text in it. */
function installedPackages(directory: string, text = ""): Package[] {
  const modules = join(directory, "node_modules");
  if (!existsSync(modules)) {
    return dirname(directory) === directory ? [] : installedPackages(dirname(directory), text);
  }
  return readdirSync(modules)
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    .map((name) => join(modules, name, "package.json"))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"))
    .filter((content) => content.includes(text))
    .map((content) => JSON.parse(content) as Package);
}
