// Headers that are still the hint are left out, so that what is public can be asked for at once.
const HINT = '{\n  "Authorization": "Bearer <an access token: `chobo token`, or POST /v1/sessions>"\n}';

async function start() {
  const queries = await (await fetch("/graphql/ui/examples.json")).json();
  const ask = GraphiQL.createFetcher({ url: "/graphql" });
  const fetcher = (asked, options) => ask(asked, withoutHint(options));
  const defaultTabs = queries.map((query) => ({ query, headers: HINT }));
  const page = React.createElement(GraphiQL, { fetcher, defaultTabs, shouldPersistHeaders: false });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
}

function withoutHint(options) {
  const { Authorization, ...headers } = options?.headers ?? {};
  return Authorization?.includes("<") ? { ...options, headers } : options;
}

start();
