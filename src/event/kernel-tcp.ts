/** TCP socket states, by number. include/net/tcp_states.h; 12 since 4.1. */
export const TCP_STATE_NAMES: readonly string[] = [
  "UNKNOWN",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
];

/** The states that classification compares with. include/net/tcp_states.h. */
export const TCP_SYN_SENT = 2;
export const TCP_FIN_WAIT1 = 4;
export const TCP_FIN_WAIT2 = 5;
export const TCP_LAST_ACK = 9;
export const TCP_CLOSING = 11;
/** A half-open connection of Fast Open or of a simultaneous open. */
export const TCP_SYN_RECV = 3;
/** A request socket: what a retransmitted SYN-ACK belongs to. */
export const TCP_NEW_SYN_RECV = 12;

/** Congestion states, by number (`enum tcp_ca_state`, include/uapi/linux/tcp.h). */
export const TCP_CA_STATE_NAMES: readonly string[] = ["Open", "Disorder", "CWR", "Recovery", "Loss"];
export const TCP_CA_OPEN = 0;
export const TCP_CA_RECOVERY = 3;
export const TCP_CA_LOSS = 4;

/** `icsk_pending` while a tail loss probe runs (include/net/inet_connection_sock.h). */
export const ICSK_TIME_LOSS_PROBE = 5;
/** `icsk_pending` while the RACK reordering timer is armed or runs (since 4.19). */
export const ICSK_TIME_REO_TIMEOUT = 6;

/** TCP header flag bits as in `tcp_skb_cb.tcp_flags` (include/net/tcp.h). */
export const TCPHDR_SYN = 0x02;

/** Address families (include/linux/socket.h). */
export const AF_INET = 2;
export const AF_INET6 = 10;
