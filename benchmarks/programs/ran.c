/* ran FILE: succeeds as /bin/true does, and leaves one byte in FILE, so that runs can be counted from outside. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int file = argc > 1 ? open(argv[1], O_WRONLY | O_APPEND) : -1;
	return file < 0 || write(file, "x", 1) != 1;
}
