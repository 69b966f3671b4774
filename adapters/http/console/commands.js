// How an agent is started, ready to be pasted: the forms of the project's own deployment files.

/** What an agent needs to know: where the server is, who it is, and its token. */
function facts(satellite, token) {
  const url = location.origin;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
  const clear = location.protocol === "http:" && !loopback;
  const slug = satellite.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40) || "satellite";
  return { url, loopback, clear, slug, id: satellite.id, token, plaintext: clear ? " --allow-plaintext" : "" };
}

function shell({ url, id, token, slug, plaintext }) {
  return `(umask 077; printf '%s\\n' '${token}' > ${slug}.token)
groundcontrol satellite --url ${url} \\
  --client-id ${id} \\
  --token-file ${slug}.token${plaintext}
`;
}

function systemd({ url, id, token, plaintext }) {
  return `install -d -m 0700 /etc/groundcontrol
(umask 077; printf '%s\\n' '${token}' > /etc/groundcontrol/satellite-token)
cat > /etc/systemd/system/groundcontrol-satellite.service <<'UNIT'
[Unit]
Description=Ground Control satellite
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/bin/groundcontrol satellite --url ${url} --client-id ${id} --token-file %d/token${plaintext}
LoadCredential=token:/etc/groundcontrol/satellite-token
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=3 4

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now groundcontrol-satellite
`;
}

function docker({ url, id, token, slug, loopback, plaintext }) {
  return `(umask 077; printf '%s\\n' '${token}' > ${slug}.token)
docker run --detach --name groundcontrol-${slug} --restart on-failure \\
  --read-only --cap-drop ALL --security-opt no-new-privileges${loopback ? " --network host" : ""} \\
  --user "$(id -u):$(id -g)" --volume "$PWD/${slug}.token:/run/secrets/token:ro" \\
  groundcontrol:0.1.0 satellite --url ${url} \\
  --client-id ${id} --token-file /run/secrets/token${plaintext}
`;
}

function kubernetes({ url, id, token, slug, plaintext }) {
  const more = plaintext ? ", --allow-plaintext" : "";
  return `kubectl apply -f - <<'YAML'
apiVersion: v1
kind: Secret
metadata: { name: satellite-${slug} }
stringData: { token: ${token} }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: satellite-${slug} }
spec:
  replicas: 1
  # Two agents with one token would take each other's place.
  strategy: { type: Recreate }
  selector: { matchLabels: { app.kubernetes.io/name: satellite-${slug} } }
  template:
    metadata: { labels: { app.kubernetes.io/name: satellite-${slug} } }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 }
      containers:
        - name: satellite
          image: groundcontrol:0.1.0
          args: [satellite, --url, "${url}", --client-id, ${id}, --token-file, /run/secrets/satellite/token${more}]
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: token, mountPath: /run/secrets/satellite, readOnly: true }]
      volumes: [{ name: token, secret: { secretName: satellite-${slug}, defaultMode: 0440 } }]
YAML
`;
}

/** The ways to start an agent: name, where it is run, command. */
export function commands(satellite, token) {
  const known = facts(satellite, token);
  return [
    { name: "Shell", where: "Where the agent runs, in a terminal.", text: shell(known) },
    { name: "systemd", where: "As root, where the agent runs.", text: systemd(known) },
    { name: "Docker", where: "Where the agent runs, with the image of app/deploy/Dockerfile.", text: docker(known) },
    { name: "Kubernetes", where: "With kubectl, and the image in a registry that the cluster reaches.", text: kubernetes(known) },
  ];
}

/** What to know of the address that the commands name; nothing where it is in order. */
export function warning() {
  const { clear, loopback } = facts({ name: "", id: "" }, "");
  if (loopback) return "The address is this machine's own: put the server's name in its place where the agent runs elsewhere.";
  if (clear) return "The token would cross the network in the clear: serve this console over TLS.";
  return undefined;
}
