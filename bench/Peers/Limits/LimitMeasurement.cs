using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Peers;

/// <summary>How the limits of the machine are measured.</summary>
internal static class LimitMeasurement
{
    /// <summary>Bytes read and written a nanosecond by a copy of so many bytes, source and target together.</summary>
    public static double CopyBandwidth(long bytes, int threads) => Best(threads, worker =>
    {
        int share = (int)(bytes / threads / 2);
        byte[] source = GC.AllocateArray<byte>(share, pinned: true), target = GC.AllocateArray<byte>(share, pinned: true);
        return (() => source.CopyTo(target.AsSpan()), 2.0 * share);
    });

    /// <summary>Floating-point operations a nanosecond (a fused multiply-add is two), single precision, in registers of so many bits.</summary>
    public static double FmaPeak(int threads, int bits) => Best(threads, worker => (bits switch
    {
        512 => static () => Keep(Spin<Wide512>(Rounds)),
        256 => static () => Keep(Spin<Wide256>(Rounds)),
        _ => static () => Keep(Spin<Wide128>(Rounds)),
    }, Rounds * 12.0 * 2 * bits / 32));

    private const int Rounds = 20_000;

    // Twelve independent chains hide the latency of four cycles on two units.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Spin<V>(int rounds)
        where V : struct, IWide<V>
    {
        V x = V.Of(0.999f), y = V.Of(1e-3f);
        V a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (int n = 0; n < rounds; n++)
        {
            a = V.MultiplyAdd(a, x, y);
            b = V.MultiplyAdd(b, x, y);
            c = V.MultiplyAdd(c, x, y);
            d = V.MultiplyAdd(d, x, y);
            e = V.MultiplyAdd(e, x, y);
            f = V.MultiplyAdd(f, x, y);
            g = V.MultiplyAdd(g, x, y);
            h = V.MultiplyAdd(h, x, y);
            i = V.MultiplyAdd(i, x, y);
            j = V.MultiplyAdd(j, x, y);
            k = V.MultiplyAdd(k, x, y);
            l = V.MultiplyAdd(l, x, y);
        }

        return V.First(a) + V.First(b) + V.First(c) + V.First(d) + V.First(e) + V.First(f) + V.First(g) + V.First(h) + V.First(i) + V.First(j) + V.First(k) + V.First(l);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(float value) => GC.KeepAlive(value);

    private interface IWide<V>
    {
        static abstract V Of(float value);

        static abstract V MultiplyAdd(V a, V b, V c);

        static abstract float First(V value);
    }

    private readonly record struct Wide512(Vector512<float> Value) : IWide<Wide512>
    {
        public static Wide512 Of(float value) => new(Vector512.Create(value));

        public static Wide512 MultiplyAdd(Wide512 a, Wide512 b, Wide512 c) => new(Vector512.FusedMultiplyAdd(a.Value, b.Value, c.Value));

        public static float First(Wide512 value) => value.Value.ToScalar();
    }

    private readonly record struct Wide256(Vector256<float> Value) : IWide<Wide256>
    {
        public static Wide256 Of(float value) => new(Vector256.Create(value));

        public static Wide256 MultiplyAdd(Wide256 a, Wide256 b, Wide256 c) => new(Vector256.FusedMultiplyAdd(a.Value, b.Value, c.Value));

        public static float First(Wide256 value) => value.Value.ToScalar();
    }

    private readonly record struct Wide128(Vector128<float> Value) : IWide<Wide128>
    {
        public static Wide128 Of(float value) => new(Vector128.Create(value));

        public static Wide128 MultiplyAdd(Wide128 a, Wide128 b, Wide128 c) => new(Vector128.FusedMultiplyAdd(a.Value, b.Value, c.Value));

        public static float First(Wide128 value) => value.Value.ToScalar();
    }

    // The best of some rounds: a limit is what the machine does undisturbed. Every thread works for itself and repeats until all are done.
    private static double Best(int threads, Func<int, (Action Run, double Work)> prepare)
    {
        (Action Run, double Work)[] jobs = [.. Enumerable.Range(0, threads).Select(prepare)];
        double best = 0;
        for (int round = 0; round < 10; round++)
        {
            double[] rates = new double[threads];
            Thread[] workers = [.. jobs.Select((job, i) => new Thread(() =>
            {
                job.Run();
                long start = System.Diagnostics.Stopwatch.GetTimestamp();
                int calls = 0;
                TimeSpan elapsed;
                do
                {
                    job.Run();
                    calls++;
                    elapsed = System.Diagnostics.Stopwatch.GetElapsedTime(start);
                }
                while (elapsed < TimeSpan.FromMilliseconds(20));
                rates[i] = job.Work * calls / elapsed.TotalNanoseconds;
            }))];
            foreach (Thread worker in workers) worker.Start();
            foreach (Thread worker in workers) worker.Join();
            best = Math.Max(best, rates.Sum());
        }

        return best;
    }
}
