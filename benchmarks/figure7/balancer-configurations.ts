// HAProxy and nginx as their operators would set them up for long answers: TCP, to the server with the fewest
// connections, another one where a connect fails.

import { PORT } from './contenders';

export const nginxModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

export function haproxyConfiguration(address: string, servers: readonly string[], folder: string): string {
  return `
global
  maxconn 4000
  stats socket ${folder}/haproxy.sock mode 600 level admin expose-fd listeners
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch 1
frontend web
  bind ${address}:${PORT}
  default_backend servers
backend servers
  balance leastconn
${servers.map((server) => `  server ${server} ${server}:${PORT} check inter 1s fall 2 rise 1`).join('\n')}
`;
}

export function nginxConfiguration(address: string, servers: readonly string[], folder: string): string {
  return `
load_module ${nginxModule};
user root;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log crit;
events { worker_connections 4096; }
stream {
  upstream servers {
    least_conn;
    zone servers 64k;
${servers.map((server) => `    server ${server}:${PORT} max_fails=1 fail_timeout=10s;`).join('\n')}
  }
  server {
    listen ${address}:${PORT} backlog=511;
    proxy_pass servers;
    proxy_connect_timeout 5s;
    proxy_timeout 60s;
  }
}
`;
}
