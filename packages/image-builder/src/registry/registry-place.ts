/**
 * Where a registry sent us. Behind a proxy that ends TLS many name themselves by http: what belongs to a registry that is spoken to by TLS is sent
 * by TLS, and never in the clear.
 * @param own the registry's own address
 */
export function placeOf(location: URL, own: URL): URL {
  if (own.protocol !== "https:" || location.protocol !== "http:" || location.host !== own.host)
    return location;
  const place = new URL(location);
  place.protocol = own.protocol;
  return place;
}
