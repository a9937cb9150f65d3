/* Send a random permutation packet by packet over a fat tree, as NDP does, and print the share of line rate of each host.

   packets TIERS HALF PLACES UP PATHS SEED: leaves of HALF hosts and UP links up, PLACES leaves or pods of HALF leaves.

   M. Handley et al., SIGCOMM 2017, doi 10.1145/3098822.3098825: a full queue trims packets to their headers, and the
   receiver pulls one packet for each that came, whole or trimmed. Each packet takes the next of PATHS hashed paths, in
   an order that is drawn again each round. The unit of time is that of one packet of 9,000 bytes on a link of 100G. */
#include <stdio.h>
#include <stdlib.h>

enum { QUEUE = 35, WINDOW = 50, HEADERS_PER_PACKET = 10 };
static const double HEADER = 64.0 / 9000, DELAY = 1.0 / 0.72, WARM = 300 / 0.72, END = 800 / 0.72;

typedef enum { DATA, TRIMMED, PULL } Kind;
typedef struct { Kind kind; int source, target, turn, hop, spine, core; } Packet;
typedef struct { int first, last, length; } Queue;
typedef struct { Queue data, headers; int busy, credit; } Link;
typedef struct { double time; enum { SENT, ARRIVES, PACED } what; int link, packet; } Event;

static int tiers, half, places, up, paths, hosts, leaves, spine_links;
static Packet *packets;
static int *next_of, free_list = -1, made, room;
static Link *links;
static Event *heap;
static int events, heap_room;
static double now;
static unsigned long long state;

static int draw(int below) { /* xorshift64* */
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return (int)((state * 2685821657736338717ULL >> 33) % below);
}

static void shuffle(int *values, int count) {
  for (int i = count - 1; i > 0; i--) {
    int j = draw(i + 1), kept = values[i];
    values[i] = values[j], values[j] = kept;
  }
}

/* Events, the earliest first. */
static void plan(double time, int what, int link, int packet) {
  if (events == heap_room)
    heap = realloc(heap, (heap_room = 2 * heap_room + 1024) * sizeof *heap);
  int i = events++;
  for (; i && heap[(i - 1) / 2].time > time; i = (i - 1) / 2)
    heap[i] = heap[(i - 1) / 2];
  heap[i] = (Event){time, what, link, packet};
}

static Event earliest(void) {
  Event found = heap[0], last = heap[--events];
  int i = 0;
  for (int child; (child = 2 * i + 1) < events; i = child) {
    child += child + 1 < events && heap[child + 1].time < heap[child].time;
    if (heap[child].time >= last.time)
      break;
    heap[i] = heap[child];
  }
  heap[i] = last;
  return found;
}

static void append(Queue *queue, int packet) {
  next_of[packet] = -1;
  if (queue->length++)
    next_of[queue->last] = packet;
  else
    queue->first = packet;
  queue->last = packet;
}

static int take(Queue *queue) {
  int packet = queue->first;
  queue->first = next_of[packet];
  queue->length--;
  return packet;
}

/* The link of a packet's next hop: up to the tier where its path turns, and down. */
static int link_of(const Packet *packet) {
  int leaf_up = hosts, spine_up = leaf_up + leaves * up, core_down = spine_up + spine_links;
  int spine_down = core_down + spine_links, leaf_down = spine_down + leaves * up;
  int hop = packet->hop, back = 2 * packet->turn - 1 - hop;
  int leaf = (hop < back ? packet->source : packet->target) / half;
  if (hop == 0)
    return packet->source;
  if (back == 0)
    return leaf_down + packet->target;
  if (hop == 1 || back == 1)
    return (hop == 1 ? leaf_up : spine_down) + leaf * up + packet->spine;
  return (hop == 2 ? spine_up : core_down) + (leaf / half * up + packet->spine) * half + packet->core;
}

/* Start the next packet of a link; a few headers go before each packet. */
static void start(int number) {
  Link *link = &links[number];
  if (link->busy || !(link->data.length + link->headers.length))
    return;
  int header = link->headers.length && (!link->data.length || link->credit > 0);
  link->credit = header ? link->credit - 1 : HEADERS_PER_PACKET;
  link->busy = 1;
  plan(now + (header ? HEADER : 1), SENT, number, take(header ? &link->headers : &link->data));
}

/* Put a packet in the queue of its next link, which trims it or the last one where it is full. */
static void forward(int number) {
  Packet *packet = &packets[number];
  int where = link_of(packet);
  Link *link = &links[where];
  if (packet->kind == DATA && packet->hop && link->data.length == QUEUE) {
    Packet *last = &packets[link->data.last], kept = *last;
    if (draw(2))
      *last = *packet, *packet = kept;
    packet->kind = TRIMMED;
  }
  append(packet->kind == DATA ? &link->data : &link->headers, number);
  start(where);
}

static void send(Kind kind, int source, int target, int spine, int core) {
  if (free_list < 0 && made == room) {
    room = 2 * room + 1024;
    packets = realloc(packets, room * sizeof *packets), next_of = realloc(next_of, room * sizeof *next_of);
  }
  int number = free_list < 0 ? made++ : free_list;
  if (number == free_list)
    free_list = next_of[number];
  int from = source / half, to = target / half;
  int turn = from == to ? 1 : tiers == 2 || from / half == to / half ? 2 : 3;
  packets[number] = (Packet){kind, source, target, turn, 0, spine, core};
  forward(number);
}

int main(int arguments, char **words) {
  if (arguments != 7)
    return 2;
  tiers = atoi(words[1]), half = atoi(words[2]), places = atoi(words[3]), up = atoi(words[4]), paths = atoi(words[5]);
  state = 0x9E3779B97F4A7C15ULL * (atoi(words[6]) + 1);
  leaves = tiers == 2 ? places : places * half, hosts = leaves * half;
  spine_links = tiers == 2 ? 0 : places * up * half;
  links = calloc(2 * (hosts + leaves * up + spine_links), sizeof *links);
  int *order = malloc(hosts * sizeof *order), *target = malloc(hosts * sizeof *target);
  int *source = malloc(hosts * sizeof *source), *turn = calloc(hosts, sizeof *turn);
  int *spine = malloc(hosts * paths * sizeof *spine), *core = malloc(hosts * paths * sizeof *core);
  int *round = malloc(hosts * paths * sizeof *round), *owed = calloc(hosts, sizeof *owed);
  int *paced = calloc(hosts, sizeof *paced), *got = calloc(hosts, sizeof *got);
  for (int host = 0; host < hosts; host++)
    order[host] = host;
  shuffle(order, hosts);
  for (int host = 0; host < hosts; host++)
    target[order[host]] = order[(host + 1) % hosts], source[order[(host + 1) % hosts]] = order[host];
  for (int path = 0; path < hosts * paths; path++)
    spine[path] = draw(up), core[path] = draw(half), round[path] = path % paths;
  for (int host = 0; host < hosts; host++)
    for (int sent = 0; sent < WINDOW; sent++) {
      int path = host * paths + draw(paths);
      send(DATA, host, target[host], spine[path], core[path]);
    }

  while (events) {
    Event event = earliest();
    if ((now = event.time) > END)
      break;
    if (event.what == SENT) {
      links[event.link].busy = 0;
      plan(now + DELAY, ARRIVES, 0, event.packet);
      start(event.link);
      continue;
    }
    int host = event.link;
    if (event.what == ARRIVES) {
      Packet packet = packets[event.packet];
      if (packet.hop + 1 < 2 * packet.turn) {
        packets[event.packet].hop++;
        forward(event.packet);
        continue;
      }
      next_of[event.packet] = free_list, free_list = event.packet;
      host = packet.target;
      if (packet.kind == PULL) { /* the pulled host sends its next packet by its next path */
        if (turn[host] == 0)
          shuffle(round + host * paths, paths);
        int path = host * paths + round[host * paths + turn[host]];
        turn[host] = (turn[host] + 1) % paths;
        send(DATA, host, target[host], spine[path], core[path]);
        continue;
      }
      got[host] += packet.kind == DATA && now > WARM;
      owed[host]++;
    } else
      paced[host] = 0;
    if (owed[host] && !paced[host]) { /* a receiver pulls as fast as its link carries packets */
      owed[host]--, paced[host] = 1;
      send(PULL, host, source[host], draw(up), draw(half));
      plan(now + 1, PACED, host, 0);
    }
  }
  for (int host = 0; host < hosts; host++)
    printf("%.6f\n", got[host] / (END - WARM));
  return 0;
}
