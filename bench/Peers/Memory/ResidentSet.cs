using System.Globalization;

namespace Fusion.Peers.Memory;

/// <summary>
/// Memory of this process that belongs to no file, as Linux counts it: resident pages less those shared with files (/proc/self/statm), so that the code of
/// libraries, some hundred megabytes of LibTorch, does not count, while garbage that is not collected yet, pools and compiled code do.
/// </summary>
internal sealed class ResidentSet : IDisposable
{
    private readonly FileStream _file = new("/proc/self/statm", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
    private readonly byte[] _text = new byte[256];

    public static bool IsSupported => File.Exists("/proc/self/statm");

    /// <summary>Read without allocating: the thread that samples it would fill the youngest generation, some 16 MB, by itself.</summary>
    public long Bytes
    {
        get
        {
            _file.Position = 0;
            ReadOnlySpan<byte> text = _text.AsSpan(0, _file.Read(_text));
            return (Field(text, 1) - Field(text, 2)) * Environment.SystemPageSize;
        }
    }

    /// <summary>The most there was at any time of a run, sampled by a thread of its own.</summary>
    public long Peak(Action run)
    {
        long peak = Bytes;
        bool done = false;
        Thread sampler = new(() =>
        {
            while (!Volatile.Read(ref done))
            {
                peak = Math.Max(peak, Bytes);
                Thread.Sleep(0);
            }
        });
        sampler.Start();
        run();
        Volatile.Write(ref done, true);
        sampler.Join();
        return peak;
    }

    public void Dispose() => _file.Dispose();

    private static long Field(ReadOnlySpan<byte> text, int index)
    {
        for (; index > 0; index--) text = text[(text.IndexOf((byte)' ') + 1)..];
        return long.Parse(text[..text.IndexOf((byte)' ')], CultureInfo.InvariantCulture);
    }
}
