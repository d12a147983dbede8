import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTcpCounters } from "../../src/host/tcp-counters.ts";

const SNMP = `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 188 2 0 0 0 12030 7835 3658 0 74 0
Udp: InDatagrams
Udp: 5
`;
const NETSTAT = `TcpExt: SyncookiesSent TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPRetransFail TCPSynRetrans
TcpExt: 0 821 12 18446744073709551615 49 8 2
IpExt: InNoRoutes
IpExt: 0
`;

test("parseTcpCounters() takes counters of both files by name", () => {
  const counters = parseTcpCounters(SNMP, NETSTAT);
  assert.equal(counters?.RetransSegs, 3658n);
  assert.equal(counters?.OutSegs, 7835n);
  assert.equal(counters?.TCPFastRetrans, 821n);
  assert.equal(counters?.TCPSynRetrans, 2n);
});

test("parseTcpCounters() keeps a counter above 2^53 exact", () => {
  assert.equal(parseTcpCounters(SNMP, NETSTAT)?.TCPTimeouts, 18_446_744_073_709_551_615n);
});

test("parseTcpCounters() gives undefined for a counter that the kernel does not have", () => {
  assert.equal(parseTcpCounters(SNMP, NETSTAT)?.TCPKeepAlive, undefined);
  assert.equal(parseTcpCounters(SNMP, "")?.TCPFastRetrans, undefined);
});

test("parseTcpCounters() gives undefined for a text without the Tcp lines", () => {
  assert.equal(parseTcpCounters("Ip: A\nIp: 1\n", NETSTAT), undefined);
  assert.equal(parseTcpCounters("Tcp: A\n", NETSTAT), undefined);
});

test("parseTcpCounters() takes both files from one text, as nsenter's cat gives them", () => {
  assert.deepEqual(parseTcpCounters(SNMP + NETSTAT, SNMP + NETSTAT), parseTcpCounters(SNMP, NETSTAT));
});
