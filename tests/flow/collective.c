/* Run one collective with SimGrid's own algorithm and print the seconds that its slowest rank took.

   collective all-reduce|all-to-all BYTES GROUPS: rank r is in group r % GROUPS, and all groups run at one time. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, ranks, bytes = atoi(argv[2]), all_to_all = strcmp(argv[1], "all-to-all") == 0;
  MPI_Comm group;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_split(MPI_COMM_WORLD, rank % atoi(argv[3]), rank, &group);
  MPI_Comm_size(group, &ranks);
  void *sent = SMPI_SHARED_MALLOC(bytes), *received = SMPI_SHARED_MALLOC(bytes);

  MPI_Barrier(MPI_COMM_WORLD);
  double slowest, took = MPI_Wtime();
  if (all_to_all)
    MPI_Alltoall(sent, bytes / ranks, MPI_BYTE, received, bytes / ranks, MPI_BYTE, group);
  else
    MPI_Allreduce(sent, received, bytes, MPI_BYTE, MPI_BXOR, group);
  took = MPI_Wtime() - took;

  MPI_Reduce(&took, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  if (rank == 0)
    printf("%.9g\n", slowest);
  SMPI_SHARED_FREE(sent);
  SMPI_SHARED_FREE(received);
  MPI_Finalize();
  return 0;
}
