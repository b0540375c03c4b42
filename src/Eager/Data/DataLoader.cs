using System.Collections;
using Fusion.Kernels;

namespace Fusion.Data;

/// <summary>How far an epoch is.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Batch">The batches delivered.</param>
/// <param name="Batches">The batches of an epoch.</param>
public readonly record struct LoaderProgress(int Epoch, int Batch, int Batches);

/// <summary>
/// Batches of a dataset. Each enumeration is an epoch, with an order of its own when shuffled; the orders follow from the seed alone, so that a run can
/// be repeated. Enumerate with <c>foreach ((NDArray x, NDArray y) in loader)</c>.
/// </summary>
public sealed class DataLoader : IEnumerable<Batch>
{
    private readonly Dataset _dataset;
    private readonly int _batchSize;
    private readonly bool _shuffle;
    private readonly ulong _seed;
    private readonly bool _dropLast;
    private int _epoch;

    /// <summary>A loader of a dataset.</summary>
    /// <param name="dataset">The samples.</param>
    /// <param name="batchSize">The samples of a batch.</param>
    /// <param name="shuffle">Another random order in each epoch.</param>
    /// <param name="seed">Which random orders.</param>
    /// <param name="dropLast">Leave out the last batch when it is smaller than the others.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive.</exception>
    public DataLoader(Dataset dataset, int batchSize, bool shuffle = false, ulong seed = 0, bool dropLast = false)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        Require.Positive(batchSize, nameof(DataLoader));
        (_dataset, _batchSize, _shuffle, _seed, _dropLast) = (dataset, batchSize, shuffle, seed, dropLast);
    }

    /// <summary>The batches of an epoch.</summary>
    public int Count => (int)((_dataset.Count + (_dropLast ? 0L : _batchSize - 1)) / _batchSize);

    /// <summary>The number of the next epoch; set it to repeat one or to continue a run.</summary>
    public int Epoch
    {
        get => _epoch;
        set
        {
            Require.NotNegative(value, "DataLoader.Epoch");
            _epoch = value;
        }
    }

    /// <summary>Told about each batch when the next one is asked for.</summary>
    public IProgress<LoaderProgress>? Progress { get; set; }

    /// <summary>One epoch.</summary>
    public IEnumerator<Batch> GetEnumerator()
    {
        int epoch = _epoch++;
        int[] order = Order(epoch);
        int batches = Count;
        for (int batch = 0; batch < batches; batch++)
        {
            int start = batch * _batchSize;
            yield return _dataset.Gather(new ArraySegment<int>(order, start, Math.Min(_batchSize, order.Length - start)));
            Progress?.Report(new LoaderProgress(epoch, batch + 1, batches));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int[] Order(int epoch)
    {
        int count = _dataset.Count;
        if (_shuffle) return RandomOps.Permutation(count, new RandomOrigin(_seed, (ulong)epoch << 40));
        int[] order = new int[count];
        for (int i = 0; i < count; i++) order[i] = i;
        return order;
    }
}
