using Fusion.Kernels;

namespace Fusion;

/// <summary>Eager execution of element-wise rows: a short path for small contiguous arrays, the driver for everything else.</summary>
internal static unsafe class ElementExecution
{
    // Below this many elements one thread is always faster than handing work over.
    private const int DirectLimit = 4096;

    /// <summary>The output type of an element-wise operator; mask operands must be Bool, the others of one type.</summary>
    public static TensorType Infer(ElementOp element, ReadOnlySpan<TensorType> inputs)
    {
        if (inputs.Length != element.Arity) throw new ArgumentException($"{element.Name}: {element.Arity} inputs, not {inputs.Length}.");
        DType? value = null;
        Shape shape = inputs[0].Shape;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (i > 0) shape = Broadcasting.Infer(element.Name, shape, inputs[i].Shape);
            DType dtype = inputs[i].DType;
            if (element.IsMaskInput(i))
            {
                if (dtype != DType.Bool) throw new DTypeException($"{element.Name}: input {i} is {dtype}; it must be Bool. Compare it with 0, or use AsType(DType.Bool).");
                continue;
            }

            if (value is { } other && other != dtype) throw new DTypeException($"{element.Name}: {other} and {dtype}. Convert one with AsType.");
            value = dtype;
        }

        if (value is { IsFloat: false } integer && !element.SupportsInteger)
            throw new DTypeException($"{element.Name}: {integer} is not supported. Convert with AsType(DType.Float32).");
        return new TensorType(element.IsMask ? DType.Bool : value!.Value, shape);
    }

    public static bool TryUnary(Op op, NDArray x, out NDArray? output)
    {
        output = null;
        ElementOp element = op.Element!;
        if (x.Size > DirectLimit || !x.IsContiguous || !x.HasData || !x.DType.IsFloat || element.Arity != 1 || element.IsMaskInput(0)) return false;
        output = NDArray.Allocate(element.IsMask ? DType.Bool : x.DType, x.Shape);
        nint* table = stackalloc nint[2];
        fixed (byte* px = &x.Data, py = &output.Data)
        {
            table[0] = (nint)px;
            table[1] = (nint)py;
            if (x.Size > 0) element.Loop(x.DType, 0).Invoke((nint)table, 0, x.Size);
        }

        return true;
    }

    public static bool TryBinary(Op op, NDArray x, NDArray y, out NDArray? output)
    {
        output = null;
        ElementOp element = op.Element!;
        if (x.DType != y.DType || !x.DType.IsFloat || element.Arity != 2 || element.IsMaskInput(0)) return false;
        if (!x.IsContiguous || !y.IsContiguous || !x.HasData || !y.HasData) return false;
        int scalars = 0;
        Shape shape = x.Shape;
        if (!shape.Equals(y.Shape))
        {
            if (y.Rank == 0) scalars = 2;
            else if (x.Rank == 0) (scalars, shape) = (1, y.Shape);
            else return false;
        }

        long size = shape.Size;
        if (size > DirectLimit) return false;
        output = NDArray.Allocate(element.IsMask ? DType.Bool : x.DType, shape);
        nint* table = stackalloc nint[3];
        fixed (byte* px = &x.Data, py = &y.Data, pz = &output.Data)
        {
            table[0] = (nint)px;
            table[1] = (nint)py;
            table[2] = (nint)pz;
            if (size > 0) element.Loop(x.DType, scalars).Invoke((nint)table, 0, size);
        }

        return true;
    }

    /// <summary>Any number of operands with any strides.</summary>
    public static void Run(ElementOp element, ReadOnlySpan<NDArray> inputs, NDArray output)
    {
        if (output.Size == 0) return;
        DType value = element.IsMask ? DType.Bool : output.DType;
        int scalars = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!element.IsMaskInput(i)) value = inputs[i].DType;
            if (inputs[i].Size == 1) scalars |= 1 << i;
        }

        Run(element.Loop(value, scalars), scalars, inputs, new ReadOnlySpan<NDArray>(in output), output.Shape);
    }

    /// <summary>Runs a kernel, ahead-of-time or compiled, over <paramref name="shape"/>; bit i of <paramref name="scalars"/>: operand i is read once.</summary>
    public static void Run(ElementKernel kernel, int scalars, ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, Shape shape)
    {
        Action action = new()
        {
            Kernel = kernel,
            Scalars = scalars,
            Inputs = inputs,
            Outputs = outputs,
            Shape = shape,
        };
        ArrayPins.Run(inputs, outputs, ref action);
    }

    /// <summary>The same where every operand is contiguous, with <paramref name="size"/> elements, or read once.</summary>
    public static void RunDirect(in ElementKernel kernel, ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs, long size)
    {
        DirectAction action = new() { Kernel = ref kernel, Size = size, Outputs = outputs };
        ArrayPins.Run(inputs, outputs, ref action);
    }

    private ref struct DirectAction : IArrayAction
    {
        // A copy would be read in other pieces than it was written: the processor then waits for all stores before, results of the last call among them.
        public ref readonly ElementKernel Kernel;
        public long Size;
        public ReadOnlySpan<NDArray> Outputs;

        public readonly void Invoke(ReadOnlySpan<nint> pointers)
        {
            Span<int> sizes = stackalloc int[Outputs.Length];
            for (int i = 0; i < sizes.Length; i++) sizes[i] = Outputs[i].DType.Size;
            fixed (nint* table = pointers) ElementDriver.RunDirect(in Kernel, table, pointers.Length - sizes.Length, sizes, Size);
        }
    }

    private ref struct Action : IArrayAction
    {
        public ElementKernel Kernel;
        public int Scalars;
        public Shape Shape;
        public ReadOnlySpan<NDArray> Inputs;
        public ReadOnlySpan<NDArray> Outputs;

        public readonly void Invoke(ReadOnlySpan<nint> pointers)
        {
            int count = Inputs.Length + Outputs.Length;
            int rank = Shape.Rank;
            Operand* operands = stackalloc Operand[count];
            long* strides = stackalloc long[Math.Max(1, count * rank)];
            Span<long> own = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < count; i++)
            {
                NDArray array = i < Inputs.Length ? Inputs[i] : Outputs[i - Inputs.Length];
                Span<long> row = new(strides + i * rank, rank);
                array.CopyStrides(own);
                Broadcasting.Strides(own, array.Shape, Shape, row);
                operands[i] = new Operand
                {
                    Data = pointers[i],
                    Strides = strides + i * rank,
                    ElementSize = array.DType.Size,
                    IsScalar = (Scalars >> i & 1) != 0,
                };
            }

            ElementDriver.Run(Kernel, Inputs.Length, Outputs.Length, operands, Shape.Dimensions);
        }
    }
}
