#!/usr/bin/env bash
# Deno 2.9.6. A fetch that Deno has no permission for rejects with NotCapable; but where its body is a Blob, a stream or a
# FormData, the process then never ends. It ends where the body is a text, and where Deno has the permission and nobody listens
# there. A good guess is that a request that was not made leaves nothing behind.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
echo '{ "private": true }' > package.json
npm install --silent --no-audit --no-fund deno@2.9.6
for body in "'x'" "new Blob(['x'])"; do
  for permission in --no-prompt --allow-net; do
    cat > try.mjs <<JS
await fetch('http://127.0.0.1:9998', { method: 'POST', body: $body }).catch(({ name }) => console.log(name));
JS
    timeout 20 npx --no-install deno run --quiet --no-prompt $permission try.mjs && echo ends || echo 'does not end'
  done
done > report.txt
diff report.txt - <<'OUTPUT'
NotCapable
ends
TypeError
ends
NotCapable
does not end
TypeError
ends
OUTPUT
