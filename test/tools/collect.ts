/** The titles of tests and the assertions in a TypeScript file, by its syntax. */
import ts from "typescript";

/** A title or an assertion, and the file it stands in. */
export interface Found {
  readonly file: string;
  readonly text: string;
}

/** What a file says of tests. */
export interface Collected {
  readonly titles: readonly Found[];
  readonly assertions: readonly Found[];
}

const printer = ts.createPrinter({ removeComments: true });

/** Reads one file. */
export function collect(file: string, text: string): Collected {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const titles: Found[] = [];
  const assertions: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const title = titleOf(node);
      if (title !== undefined) titles.push({ file, text: title.getText(source) });
      if (isAssertion(node)) assertions.push({ file, text: normalized(chainFrom(node), source) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { titles, assertions };
}

/** The title of `it("...")`, `describe.each(...)("...")`, `test.skipIf(...)("...")` and the like. */
function titleOf(call: ts.CallExpression): ts.Expression | undefined {
  if (!/^(it|test|describe)$/.test(root(call.expression))) return undefined;
  // `it.each([...])` is no test yet: the call of what it returns is one.
  const isCalled = ts.isCallExpression(call.parent) && call.parent.expression === call;
  return isCalled ? undefined : call.arguments[0];
}

/** The name that a chain of calls and members begins with. */
function root(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return root(node.expression);
  return ts.isTaggedTemplateExpression(node) ? root(node.tag) : "";
}

/** Whether a call is `expect(...)`, `expect.poll(...)`, `expect.soft(...)`, `expect.fail(...)`, or one of a function named `expectThat`. */
function isAssertion({ expression }: ts.CallExpression): boolean {
  if (ts.isIdentifier(expression)) return /^expect([A-Z]|$)/.test(expression.text);
  if (!ts.isPropertyAccessExpression(expression)) return false;
  const { expression: object, name } = expression;
  const isExpect = ts.isIdentifier(object) && object.text === "expect";
  return isExpect ? /^(poll|soft|fail|unreachable)$/.test(name.text) : /^expect[A-Z]/.test(name.text);
}

/** All that is called on what a call returns: `expect(x).not.toBe(1)`. */
function chainFrom(call: ts.CallExpression): ts.Node {
  let chain: ts.Node = call;
  for (;;) {
    const { parent } = chain;
    const goesOn =
      (ts.isPropertyAccessExpression(parent) || ts.isCallExpression(parent)) && parent.expression === chain;
    if (!goesOn) return chain;
    chain = parent;
  }
}

/** The text without comments, white space, and the commas that a formatter sets or takes away. */
function normalized(node: ts.Node, source: ts.SourceFile): string {
  const text = printer.printNode(ts.EmitHint.Unspecified, node, source);
  return text.replaceAll(/\s+/g, "").replaceAll(/,([)\]}])/g, "$1");
}
