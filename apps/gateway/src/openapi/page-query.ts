/** The page that a checked query asks for. */
export const pageQuery = (query: Record<string, unknown>): { limit: number; cursor: string | null } => ({
  limit: Number(query['limit'] ?? 20),
  cursor: (query['cursor'] as string | undefined) ?? null,
});
