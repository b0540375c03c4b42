using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How uniform words become elements of one distribution.</summary>
internal unsafe interface IDistribution<T>
    where T : unmanaged
{
    /// <summary>Words that one element takes: 1 or 2.</summary>
    static abstract int WordsPerElement { get; }

    /// <summary>
    /// The elements of whole groups of <see cref="Philox.GroupWords"/> words. Elements of one group may depend on any word of it, and on nothing else.
    /// </summary>
    void Transform(uint* words, T* output, int groups);
}

/// <summary>A place in a stream: everything that a draw depends on.</summary>
internal readonly record struct RandomOrigin(ulong Key, ulong Block);

/// <summary>Fills arrays with random numbers, on several threads when it pays. Element i depends on the origin and i only.</summary>
internal static unsafe class RandomFill
{
    // A tile of words stays in the first-level cache between generator and distribution.
    private const int TileGroups = 16;
    private const int ChunkTiles = 16;

    /// <summary>Blocks of the stream that a draw uses up.</summary>
    public static ulong BlocksFor<TDistribution, T>(long count)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
        => (ulong)Divide(count, Philox.GroupWords / TDistribution.WordsPerElement) * Philox.GroupBlocks;

    public static void Run<TDistribution, T>(TDistribution distribution, RandomOrigin origin, T* output, long count)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        Job<TDistribution, T> job = new() { Distribution = distribution, Origin = origin, Output = output, Count = count };
        job.Tiles = Divide(count, TileGroups * Philox.GroupWords / TDistribution.WordsPerElement);
        job.Chunks = (int)Math.Min(Divide(job.Tiles, ChunkTiles), 4096);
        if (job.Chunks > 0) WorkerPool.Run(job.Chunks, &RunChunk<TDistribution, T>, &job);
    }

    private static void RunChunk<TDistribution, T>(void* context, int chunk)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        ref Job<TDistribution, T> job = ref *(Job<TDistribution, T>*)context;
        long last = job.Tiles * (chunk + 1) / job.Chunks;
        for (long tile = job.Tiles * chunk / job.Chunks; tile < last; tile++) RunTile(ref job, tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void RunTile<TDistribution, T>(ref Job<TDistribution, T> job, long tile)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        int perGroup = Philox.GroupWords / TDistribution.WordsPerElement;
        long start = tile * TileGroups * perGroup;
        int count = (int)Math.Min(TileGroups * perGroup, job.Count - start);
        int groups = (int)Divide(count, perGroup);
        uint* words = stackalloc uint[TileGroups * Philox.GroupWords];
        Philox.Fill(job.Origin.Key, unchecked(job.Origin.Block + ((ulong)tile * TileGroups * Philox.GroupBlocks)), words, groups);
        if (count == groups * perGroup)
        {
            job.Distribution.Transform(words, job.Output + start, groups);
            return;
        }

        T* whole = stackalloc T[TileGroups * Philox.GroupWords];
        job.Distribution.Transform(words, whole, groups);
        Unsafe.CopyBlockUnaligned(job.Output + start, whole, (uint)(count * sizeof(T)));
    }

    private static long Divide(long count, long unit) => (count / unit) + (count % unit == 0 ? 0 : 1);

    private struct Job<TDistribution, T>
        where TDistribution : unmanaged
        where T : unmanaged
    {
        public TDistribution Distribution;
        public RandomOrigin Origin;
        public T* Output;
        public long Count;
        public long Tiles;
        public int Chunks;
    }
}
