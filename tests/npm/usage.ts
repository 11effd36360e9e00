// How a front end uses the generated types.
import type { ProductsQuery, OneOrderQuery, OneOrderQueryVariables, MyOrdersQuery } from "./client";

async function ask<Data, Variables>(query: string, variables: Variables): Promise<Data> {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return ((await answer.json()) as { data: Data }).data;
}

export async function cheapest(query: string): Promise<number | undefined> {
  const data = await ask<ProductsQuery, {}>(query, {});
  const amounts: number[] = data.products.nodes.flatMap((product) => product.minPrice?.amount ?? []);
  return amounts.sort((a, b) => a - b)[0];
}

export async function nextStep(query: string, id: string): Promise<string | null | undefined> {
  const variables: OneOrderQueryVariables = { id };
  const { order } = await ask<OneOrderQuery, OneOrderQueryVariables>(query, variables);
  return order?.payment?.nextAction?.url;
}

export const totals = (data: MyOrdersQuery): string[] =>
  data.orders.nodes.map((order) => `${order.total.amount} ${order.total.currency} ${order.chargeStatus}`);
