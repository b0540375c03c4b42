using Fusion.Kernels;

namespace Fusion;

public static partial class Nd
{
    /// <summary>
    /// Random numbers. All draws of the process take consecutive parts of one stream, in the order of the calls, so that the same seed gives the same
    /// numbers for any thread count and register width, eager and compiled. The generator is Philox4x32-10. Without <see cref="Seed"/> every process
    /// draws other numbers.
    /// </summary>
    public static partial class Random
    {
        private static readonly Lock s_lock = new();
        private static RandomState s_state = new((ulong)System.Random.Shared.NextInt64(), 0);

        /// <summary>
        /// Where the stream stands. Setting it to what it was replays the draws since; stored beside the parameters and the optimizer, it lets a run that draws (dropout,
        /// sampling) go on with the same bits in another process.
        /// </summary>
        /// <exception cref="InvalidOperationException">A function is being traced that may not run eagerly: its draws take their places when it is called.</exception>
        public static RandomState State
        {
            get => ExecutionState.Current.Tracer is { } tracer ? throw tracer.ValueRead("Random.State") : Place;
            set
            {
                if (ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect("Random.State");
                Place = value;
            }
        }

        /// <summary>The same, which may be moved while a function is traced. Work that is done again has a place of its own.</summary>
        internal static RandomState Place
        {
            get
            {
                if (ExecutionState.Current.Replay?.Place is { } place) return place;
                lock (s_lock) return s_state;
            }
            set
            {
                if (ExecutionState.Current.Replay is { } replay) replay.MoveTo(value);
                else
                    lock (s_lock) s_state = value;
            }
        }

        /// <summary>Starts the stream that belongs to <paramref name="seed"/> from its beginning.</summary>
        public static void Seed(ulong seed)
        {
            if (ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect("Random.Seed");
            Place = new RandomState(seed, 0);
        }

        /// <summary>Uniform on [low, high): low may occur, high never does.</summary>
        /// <exception cref="ArgumentOutOfRangeException">
        /// <paramref name="high"/> is less than <paramref name="low"/>, or their difference is not finite.
        /// </exception>
        /// <exception cref="DTypeException">The element type is not floating point.</exception>
        public static NDArray Uniform(double low, double high, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Uniform", dtype);
            if (!(low <= high)) throw new ArgumentOutOfRangeException(nameof(high), high, $"Random.Uniform: high is {high}, less than low, {low}.");
            bool finite = dtype switch
            {
                DType.Float64 => double.IsFinite(high - low),
                DType.Float16 => Half.IsFinite((Half)low) && Half.IsFinite((Half)high),
                DType.BFloat16 => BFloat16.IsFinite((BFloat16)low) && BFloat16.IsFinite((BFloat16)high) && float.IsFinite((float)high - (float)low),
                _ => float.IsFinite((float)high - (float)low),
            };
            if (!finite) throw new ArgumentOutOfRangeException(nameof(high), high, $"Random.Uniform: high − low is not finite in {dtype}: {high} − {low}.");
            if (!dtype.IsHalf) return Draw(OpTable.RandomUniform, new RandomAttributes(shape, dtype, low, high, device));

            // What would be rounded up to high becomes the number before it.
            double last = dtype == DType.Float16 ? (double)Before((Half)high, high) : (double)Before((BFloat16)high, high);
            return Minimum(Uniform(low, high, shape, DType.Float32, device), Math.Max(last, low)).AsType(dtype);
        }

        /// <summary>Normally distributed with a mean and a standard deviation.</summary>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="std"/> is negative or NaN.</exception>
        /// <exception cref="DTypeException">The element type is not floating point.</exception>
        public static NDArray Normal(double mean, double std, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            RequireFloat("Normal", dtype);
            RequireDeviation("Normal", std);
            return Draw(OpTable.RandomNormal, new RandomAttributes(shape, Elements.WideType(dtype), mean, std, device), dtype);
        }

        /// <summary>Integers low, low + 1, …, high − 1, each equally likely (to 2⁻⁶⁴).</summary>
        /// <exception cref="ArgumentOutOfRangeException">The interval is empty or exceeds the element type.</exception>
        /// <exception cref="DTypeException">The element type is not an integer.</exception>
        public static NDArray RandInt(long low, long high, Shape shape, DType dtype = DType.Int32, Device? device = null)
        {
            if (!dtype.IsInteger)
                throw new DTypeException($"Random.RandInt: {dtype} is not an integer type. Use Int32, Int64 or UInt8, or convert with AsType.");
            if (low >= high) throw new ArgumentOutOfRangeException(nameof(high), high, $"Random.RandInt: no integer lies in [{low}, {high}).");
            (long min, long max) = dtype switch
            {
                DType.Int32 => (int.MinValue, int.MaxValue),
                DType.UInt8 => (byte.MinValue, byte.MaxValue),
                _ => (long.MinValue, long.MaxValue),
            };
            if (low < min) throw new ArgumentOutOfRangeException(nameof(low), low, $"Random.RandInt: {low} is no {dtype}.");
            if (high - 1 > max) throw new ArgumentOutOfRangeException(nameof(high), high, $"Random.RandInt: {high - 1} is no {dtype}.");
            return Draw(OpTable.RandomInteger, new RandomIntegerAttributes(shape, dtype, low, high, device));
        }

        /// <summary>1 with probability <paramref name="p"/>, else 0.</summary>
        /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not in [0, 1].</exception>
        public static NDArray Bernoulli(double p, Shape shape, DType dtype = DType.Float32, Device? device = null)
        {
            if (!(p is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(p), p, $"Random.Bernoulli: the probability is {p}; it must lie in [0, 1].");
            return Draw(OpTable.RandomBernoulli, new RandomAttributes(shape, Elements.WideType(dtype), p, 0, device), dtype);
        }

        /// <summary>The integers 0 … n − 1 in random order, Int32.</summary>
        public static NDArray Permutation(int n, Device? device = null)
        {
            Require.NotNegative(n, "Random.Permutation");
            return Draw(OpTable.RandomPermutation, new RandomAttributes(n, DType.Int32, 0, 0, device));
        }

        /// <summary>A copy with the slices along the first axis in random order.</summary>
        /// <exception cref="ShapeException">The array has rank 0.</exception>
        public static NDArray Shuffle(NDArray x)
        {
            ArgumentNullException.ThrowIfNull(x);
            if (x.Rank == 0) throw new ShapeException("Random.Shuffle: an array of rank 0 has no axis to shuffle.");
            return Take(x, Permutation(x.Shape[0], x.Device));
        }

        /// <summary>Takes the next <paramref name="blocks"/> blocks of the stream for one draw; a plan has taken them for its draws before.</summary>
        internal static RandomOrigin Reserve(ulong blocks)
        {
            ExecutionState state = ExecutionState.Current;
            if (state.Drawn is { } drawn) return drawn;
            RandomOrigin origin = state.Replay?.Take(blocks) ?? Next(blocks);
            RandomDraws.Note(state.Draws, origin, blocks);
            return origin;
        }

        /// <summary>Gives back what this thread reserved last, for work that has failed. What other threads have drawn since stays theirs.</summary>
        internal static void Return(RandomOrigin origin, ulong blocks)
        {
            ExecutionState state = ExecutionState.Current;
            RandomDraws.Forget(state.Draws, blocks);
            if (state.Replay is { } replay)
            {
                replay.Return();
                return;
            }

            lock (s_lock)
            {
                RandomState start = new(origin.Key, origin.Block);
                if (s_state == start with { Block = unchecked(start.Block + blocks) }) s_state = start;
            }
        }

        private static RandomOrigin Next(ulong blocks)
        {
            lock (s_lock)
            {
                RandomOrigin origin = new(s_state.Seed, s_state.Block);
                s_state = s_state with { Block = unchecked(s_state.Block + blocks) };
                return origin;
            }
        }

        private static NDArray Draw(Op op, object attributes) => op.Apply([], attributes);

        // Numbers of half precision are those of Float32, rounded.
        private static NDArray Draw(Op op, RandomAttributes attributes, DType dtype) => Elements.To(Draw(op, attributes), dtype);

        private static Half Before(Half nearest, double limit) => (double)nearest < limit ? nearest : Half.BitDecrement(nearest);

        private static BFloat16 Before(BFloat16 nearest, double limit) => (double)nearest < limit ? nearest : BFloat16.BitDecrement(nearest);

        private static void RequireDeviation(string name, double std)
        {
            if (!(std >= 0)) throw new ArgumentOutOfRangeException(nameof(std), std, $"Random.{name}: the standard deviation is {std}; it must be 0 or more.");
        }

        private static void RequireFloat(string name, DType dtype)
        {
            if (!dtype.IsFloat) throw new DTypeException($"Random.{name}: {dtype} is not floating point. Use Float32 or Float64, or convert with AsType.");
        }
    }
}
