# Makes a mirror with one small program and one large file, and a lock file that names them.
mkdir -p mirror/tools/v1 lock store
printf '#!/bin/sh\necho small works\n' > mirror/tools/v1/small
truncate --size=3G mirror/tools/v1/large
small=$(sha256sum mirror/tools/v1/small | cut -d ' ' -f 1)
large=$(sha256sum mirror/tools/v1/large | cut -d ' ' -f 1)
cat > lock/artifacts.lock.yml <<LOCK
schema: 1
artifacts:
  small: {version: v1, url: "https://upstream.invalid/tools/{version}/small", sha256: {amd64: $small, arm64: $small}, build: {}, seconds: 1}
  large: {version: v1, url: "https://upstream.invalid/tools/{version}/large", sha256: {amd64: $large, arm64: $large}, build: {}, seconds: 1}
LOCK
cat > mirror.yml <<VARIABLES
artifact_lock: /home/tester/lock/artifacts.lock.yml
artifact_store: /home/tester/store
artifact_source: mirror
artifact_mirror: http://127.0.0.1:8080
VARIABLES
