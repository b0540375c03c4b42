using System.Runtime.InteropServices;

namespace Fusion.Tests;

/// <summary>
/// Native elements between two bands of canary bytes. What lies before the data and after it must survive a kernel. The 64 bytes after it stand for the padding
/// of the library's blocks, which kernels may read but not write; on Linux a page without access follows them, so that reading further ends the process.
/// </summary>
internal sealed unsafe class GuardedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int Before = 128;
    private const int After = 64;
    private const byte Canary = 0xFF; // NaN, should it reach a result
    private readonly byte* _memory;
    private readonly nuint _length;

    public GuardedBuffer(long count)
    {
        Count = count;
        Bytes = count * sizeof(T);
        var size = (nuint)(Bytes + Before + After);
        if (OperatingSystem.IsLinux())
        {
            var page = (nuint)Environment.SystemPageSize;
            _length = (size + 2 * page - 1) / page * page;
            _memory = GuardedMemory.Map(_length, page);
            Data = (T*)(_memory + _length - page - After - (nuint)Bytes);
        }
        else
        {
            _memory = (byte*)NativeMemory.AlignedAlloc(size, 64);
            Data = (T*)(_memory + Before);
        }

        new Span<byte>((byte*)Data - Before, checked((int)size)).Fill(Canary);
    }

    public GuardedBuffer(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    public long Count { get; }

    public long Bytes { get; }

    public T* Data { get; }

    public nint Address => (nint)Data;

    public Span<T> Span => new(Data, checked((int)Count));

    public void AssertIntact()
    {
        Assert.True(new ReadOnlySpan<byte>((byte*)Data - Before, Before).IndexOfAnyExcept(Canary) < 0, "Written before the data.");
        Assert.True(new ReadOnlySpan<byte>((byte*)Data + Bytes, After).IndexOfAnyExcept(Canary) < 0, "Written after the data.");
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux()) GuardedMemory.Unmap(_memory, _length);
        else NativeMemory.AlignedFree(_memory);
    }
}

/// <summary>Pages whose last one cannot be touched.</summary>
internal static unsafe class GuardedMemory
{
    private const int NoAccess = 0;
    private const int ReadAndWrite = 1 | 2;
    private const int PrivateAndAnonymous = 2 | 0x20;

    public static byte* Map(nuint length, nuint page)
    {
        var memory = (byte*)Mmap(null, length, ReadAndWrite, PrivateAndAnonymous, -1, 0);
        Assert.NotEqual(-1, (nint)memory);
        Assert.Equal(0, Mprotect(memory + length - page, page, NoAccess));
        return memory;
    }

    public static void Unmap(byte* memory, nuint length) => Assert.Equal(0, Munmap(memory, length));

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern void* Mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Mprotect(void* address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Munmap(void* address, nuint length);
}
